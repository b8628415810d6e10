# SPDX-License-Identifier: Apache-2.0
"""Certificates of every kind, made with the openssl command."""

import datetime
import itertools
import subprocess

_numbers = itertools.count(1)
_CONFIG = """[ca]
default_ca=d
[d]
database={folder}/index
new_certs_dir={folder}
serial={folder}/serial
default_md=sha256
policy=p
unique_subject=no
email_in_dn=no
[p]
commonName=supplied
"""


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {args}: {done.stderr.decode()}")


def _key_options(key):
    if key.startswith("rsa"):
        return ["-newkey", f"rsa:{key[3:]}"]
    return ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key}"]


class Authority:
    """A CA in a folder of its own: `pem` is its certificate."""

    def __init__(self, folder, name="ca"):
        self.folder = folder / f"{name}.d"
        self.folder.mkdir()
        self.pem, self._key = self.folder / "ca.pem", self.folder / "ca.key"
        (self.folder / "index").touch()
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "cnf").write_text(_CONFIG.format(folder=self.folder))
        _openssl("req", "-x509", *_key_options("P-256"), "-nodes", "-days", 30, "-subj", f"/CN={name}",
                 "-keyout", self._key, "-out", self.pem)

    def link_by_hash(self, folder):
        """Puts the certificate into a folder in which OpenSSL looks for the system's CAs."""
        done = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", str(self.pem)], check=True, text=True,
                              capture_output=True)
        (folder / f"{done.stdout.strip()}.0").write_bytes(self.pem.read_bytes())

    def issue(self, san="DNS:localhost,IP:127.0.0.1", key="P-256", first=-1.0, last=30.0):
        """A certificate valid from `first` to `last` days from now: (certificate file, key file)."""
        stem = self.folder / f"leaf{next(_numbers)}"
        pem, key_file, extensions = (stem.with_suffix(s) for s in (".pem", ".key", ".ext"))
        extensions.write_text(f"subjectAltName={san}\n")
        dates = [(datetime.datetime.utcnow() + datetime.timedelta(days=d)).strftime("%Y%m%d%H%M%SZ")
                 for d in (first, last)]
        _openssl("req", *_key_options(key), "-nodes", "-subj", f"/CN={stem.name}", "-keyout", key_file,
                 "-out", stem.with_suffix(".csr"))
        _openssl("ca", "-batch", "-notext", "-config", self.folder / "cnf", "-cert", self.pem,
                 "-keyfile", self._key, "-in", stem.with_suffix(".csr"), "-out", pem,
                 "-startdate", dates[0], "-enddate", dates[1], "-extfile", extensions)
        return pem, key_file
