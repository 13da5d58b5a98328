"""Assembles OpenSearch from its server archive and module jars: assemble.py JARS HOME."""

import platform
import shutil
import sys
import zipfile
from pathlib import Path

VERSION = "2.19.1"
DESCRIPTOR = """\
name={name}
description=The module {name} of OpenSearch
version={version}
opensearch.version={version}
java.version=11
classname={classname}
extended.plugins=
custom.foldername=
has.native.controller=false
"""
# The permissions that OpenSearch's own build grants its script language. The module's jar does not contain this file.
PAINLESS_POLICY = """\
grant {
  permission org.opensearch.SpecialPermission;
  permission java.lang.RuntimePermission "createClassLoader";
  permission java.lang.RuntimePermission "getClassLoader";
  permission org.opensearch.script.ClassPermission "<<STANDARD>>";
};
"""
# The permission of our own module: to read one file.
ACCESS_POLICY = """\
grant {
  permission java.io.FilePermission "/run/secrets/search-password", "read";
};
"""
# module → its class, and the prefixes of its jars' names
MODULES = {
    "analysis-common": ("org.opensearch.analysis.common.CommonAnalysisPlugin", ("analysis-common",)),
    "reindex": (
        "org.opensearch.index.reindex.ReindexPlugin",
        ("reindex-client", "opensearch-rest-client", "opensearch-ssl-config", "http", "commons-"),
    ),
    "lang-painless": (
        # Our wrapper of org.opensearch.painless.PainlessPlugin: see src/LazyPainless.java.
        "portals.search.LazyPainless",
        ("lang-painless", "opensearch-scripting-painless-spi", "asm", "antlr4-runtime"),
    ),
    # Our own: see src/Access.java.
    "portals-access": ("portals.access.Access", ()),
}


def main(jars: Path, home: Path) -> None:
    with zipfile.ZipFile(jars / f"opensearch-{VERSION}.zip") as archive:
        archive.extractall(home.parent / "unpacked")
    (home.parent / "unpacked" / f"opensearch-{VERSION}").rename(home)
    for name in ("bin", "logs", "lib/tools"):
        shutil.rmtree(home / name)
    server_jars = {path.name for path in (home / "lib").iterdir()}
    for name, (classname, prefixes) in MODULES.items():
        module = home / "modules" / name
        module.mkdir()
        for jar in jars.glob("*.jar"):
            if jar.name.startswith(prefixes) and jar.name not in server_jars:
                shutil.copy(jar, module)
        (module / "plugin-descriptor.properties").write_text(
            DESCRIPTOR.format(name=name, version=VERSION, classname=classname)
        )
    (home / "modules/lang-painless/plugin-security.policy").write_text(PAINLESS_POLICY)
    (home / "modules/portals-access/plugin-security.policy").write_text(ACCESS_POLICY)
    unpack_native(next((home / "lib").glob("jna-*.jar")), home / "native")


def unpack_native(jna: Path, native: Path) -> None:
    """Unpack JNA's library. By itself JNA unpacks it into /tmp, which is mounted noexec."""
    machine = platform.machine().replace("_", "-")
    with zipfile.ZipFile(jna) as archive:
        content = archive.read(f"com/sun/jna/linux-{machine}/libjnidispatch.so")
    native.mkdir()
    (native / "libjnidispatch.so").write_bytes(content)


main(Path(sys.argv[1]), Path(sys.argv[2]))
