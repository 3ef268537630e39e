"""What is read: operations, views over their raw responses, and the collectors that fill them."""
