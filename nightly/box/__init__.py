"""What is put into the box: its site, the little world around it, and the steps of the night."""
