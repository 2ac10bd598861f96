"""Labels as a run takes them: label images, classes and their colours, targets."""
