# Verifies letters on standard input, one JSON object a line, with the documented
# verification for Python, and prints a line for each that does not verify, or
# that does although it was changed. The argument is the secret.
import base64
import hmac, hashlib
import json
import sys


def is_valid_webhook(raw_body: bytes, signature: str, secret: str) -> bool:
    expected = hmac.new(
        secret.encode(), raw_body, hashlib.sha256
    ).hexdigest()
    return f"sha256={expected}" == signature


verified = 0
for line in sys.stdin:
    letter = json.loads(line)
    raw = base64.b64decode(letter["body"])
    if not is_valid_webhook(raw, letter["signature"], sys.argv[1]):
        print("not verified", letter["body"])
    if is_valid_webhook(raw + b" ", letter["signature"], sys.argv[1]):
        print("forged, but verified", letter["body"])
    json.loads(raw)
    verified += 1
print(f"{verified} letters")
