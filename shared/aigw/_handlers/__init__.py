"""What the callback handlers of both adapters do with calls that are over."""
