"""What operators and sensors share: template values, deferral, and the report of a run."""
