"""The AWS infrastructure of Lookout as a CDK application: `application.build` makes the stacks of one deployment."""
