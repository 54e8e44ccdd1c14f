#!/bin/sh
# Makes the .pb.go files from the .proto files. Needs python3 with venv,
# go, and on the first run the network; the tools go to .lab/protoc.
set -eu
cd "$(dirname "$0")"
tools=$(cd ../../.. && pwd)/.lab/protoc

protoc=1.85.1 # grpcio-tools on PyPI, which carries protoc
gen_go=v1.36.12
gen_go_grpc=v1.6.2

stamp="$tools/$protoc-$gen_go-$gen_go_grpc"
if [ ! -e "$stamp" ]; then
	rm -rf "$tools"
	python3 -m venv "$tools"
	"$tools/bin/pip" install -q --disable-pip-version-check "grpcio-tools==$protoc"
	GOBIN="$tools/bin" go install "google.golang.org/protobuf/cmd/protoc-gen-go@$gen_go"
	GOBIN="$tools/bin" go install "google.golang.org/grpc/cmd/protoc-gen-go-grpc@$gen_go_grpc"
	touch "$stamp"
fi

PATH="$tools/bin:$PATH" "$tools/bin/python" -m grpc_tools.protoc -I. \
	--go_out=. --go_opt=paths=source_relative \
	--go-grpc_out=. --go-grpc_opt=paths=source_relative \
	gcs.proto autoscaler.proto
