"""What calls cost, who pays, and how much a gateway lets through."""
