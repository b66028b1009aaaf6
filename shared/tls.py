"""What OpenSSL's numbers mean."""

import ssl

NAME_MISMATCH = (62, 64)
"""A certificate for other hosts, or for other addresses."""


def is_for_others(error: ssl.SSLCertVerificationError) -> bool:
    """Whether the certificate is good, and not for whom we asked."""
    return error.verify_code in NAME_MISMATCH
