//go:build tools

// Package conformance only pins what the validation programs are built from: see build.ts.
package conformance

import (
	_ "github.com/opencontainers/runtime-tools/cmd/runtimetest"
	_ "github.com/opencontainers/runtime-tools/validation/create"
)
