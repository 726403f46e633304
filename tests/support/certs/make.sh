#!/bin/sh
# README: the test certificates, valid from 2020 to 2120 and checked in, so no test ever makes one; run
# `sh make.sh` here (OpenSSL 3) to replace them all. Their keys are public: they protect nothing.
#   ca.pem                   a certificate authority; its key is thrown away
#   server.pem, server.key   a leaf it signed, for localhost, 127.0.0.1 and ::1
#   other_ca.pem             an authority that signed nothing here
#   self_ca.pem, self_ca.key a CA:TRUE certificate a server presents as its own, the mistake of a bare
#                            `openssl req -x509`, which Deno refuses as CaUsedAsEndEntity
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
names="subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"

cat > "$work/openssl.cnf" <<CONFIG
[ca]
default_ca=store
[store]
database=$work/index.txt
new_certs_dir=$work
rand_serial=yes
unique_subject=no
default_md=sha256
default_startdate=20200101000000Z
default_enddate=21200101000000Z
policy=policy
[policy]
commonName=supplied
[authority]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[leaf]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
$names
[mistake]
basicConstraints=critical,CA:TRUE
subjectKeyIdentifier=hash
$names
CONFIG
: > "$work/index.txt"

# certificate OUT KEY SUBJECT SECTION SIGNER...: makes a key and has SIGNER (options of `openssl ca`) sign it.
certificate() {
  out=$1 key=$2 subject=$3 section=$4
  shift 4
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$subject" \
    -keyout "$key" -out "$work/request.csr"
  openssl ca -batch -notext -config "$work/openssl.cnf" -in "$work/request.csr" -out "$out" \
    -extensions "$section" "$@"
  chmod 644 "$key"
}

certificate ca.pem "$work/ca.key" "maim message test CA" authority -selfsign -keyfile "$work/ca.key"
certificate other_ca.pem "$work/other.key" "maim message unrelated CA" authority -selfsign -keyfile "$work/other.key"
certificate self_ca.pem self_ca.key localhost mistake -selfsign -keyfile self_ca.key
certificate server.pem server.key localhost leaf -cert ca.pem -keyfile "$work/ca.key"
