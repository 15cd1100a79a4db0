"""What the models of both adapters are built from: clients, requests, and who hears of their calls."""
