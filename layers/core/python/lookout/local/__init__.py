"""The local AWS (MiniStack) and the demo servers: everything `make up` starts, and what the end-to-end tests reuse.

Import from the modules: `ministack.start_ministack`, `cdk.deploy`, `cdk.outputs`, `demo_handle.start_demo`. `install`
uses the standard library only, because it runs before anything is installed.
"""
