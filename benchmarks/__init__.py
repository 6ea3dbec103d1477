"""What the speed claims of this project are measured with."""
