"""What is true of the images: labels, and which partition each belongs to."""
