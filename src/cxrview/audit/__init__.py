"""What is wrong with the headers of an archive, on one page."""
