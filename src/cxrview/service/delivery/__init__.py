"""What is sent where, and until when it is tried again."""
