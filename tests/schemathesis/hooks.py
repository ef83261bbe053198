"""How bodies that are no JSON are sent: an archive is bytes, whatever they are."""

import schemathesis


@schemathesis.serializer("application/zip")
def archive(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()
