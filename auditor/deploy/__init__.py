"""Running on AWS without anyone watching: CloudFormation templates, an image, and Lambda's way in."""
