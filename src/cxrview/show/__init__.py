"""What leaves the house for people to look at: figures, and the page that holds them."""
