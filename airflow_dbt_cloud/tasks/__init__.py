"""Template values, deferral and run reports, which operators and sensors share."""
