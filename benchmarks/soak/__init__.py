"""A soak: the service under half its knee for minutes, watched for whatever grows."""
