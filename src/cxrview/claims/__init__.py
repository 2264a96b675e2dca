"""What a collection's metadata table says of its images: read, matched to a result, corrected."""
