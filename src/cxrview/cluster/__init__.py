"""One run on many machines: `cxrview classify --cluster`, on the engine Ray."""
