"""Boards and rules as code, the files generated from them, provisioning and publishing."""
