"""What the web pages of cxrview share: pictures, middleware, the server itself."""
