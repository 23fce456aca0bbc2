"""What the resources and clients are built of: methods with two faces, lists, engines, credentials."""
