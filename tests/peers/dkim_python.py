"""python3-dkim for tests/test_dkim_peers.py. Run by the Python that Debian's packages are for.

  dkim_python.py sign FOLDER     each line of standard input: FILE HEADER BODY ALGORITHM LENGTH; the file is signed
  dkim_python.py verify FOLDER   each line: FILE; says "FILE pass" or "FILE fail"
"""
import pathlib
import sys

try:
    import dkim
    import nacl.signing  # noqa: F401
except ImportError as missing:
    print(f"missing: {missing}")
    sys.exit(77)

DOMAIN, SELECTORS = b"shop.example", {b"rsa-sha256": b"rsa", b"ed25519-sha256": b"ed"}


def key(folder, algorithm):
    return (folder / ("rsa.pem" if algorithm == b"rsa-sha256" else "ed.seed")).read_bytes().strip()


def sign(folder, name, header, body, algorithm, length):
    file = folder / name
    message = file.read_bytes()
    algorithm = algorithm.encode()
    field = dkim.sign(message, SELECTORS[algorithm], DOMAIN, key(folder, algorithm),
                      canonicalize=(header.encode(), body.encode()), signature_algorithm=algorithm,
                      length=length == "1")
    file.write_bytes(field + message)


def verify(folder, name):
    records = {b"%s._domainkey.%s." % (selector, DOMAIN): (folder / f"{selector.decode()}.txt").read_bytes()
               for selector in SELECTORS.values()}

    def answer(asked, timeout=5):  # pylint: disable=unused-argument
        return records.get(asked if isinstance(asked, bytes) else asked.encode())

    try:
        fits = dkim.verify((folder / name).read_bytes(), dnsfunc=answer)
    except Exception as error:  # pylint: disable=broad-except; whatever it makes of odd messages, it is no pass
        return f"fail {type(error).__name__}"
    return "pass" if fits else "fail"


def main():
    what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    for line in sys.stdin:
        words = line.split()
        if what == "sign":
            sign(folder, *words)
        else:
            print(words[0], verify(folder, words[0]))


main()
