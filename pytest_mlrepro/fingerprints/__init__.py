"""Digests of values: equal content, equal digest, and a diff that names the parts."""
