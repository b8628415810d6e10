// SPDX-License-Identifier: Apache-2.0

//go:build clients

// Package clients names the programs that the tests of deploy/ build, for the lock file beside it.
package clients

import (
	_ "helm.sh/helm/v3/cmd/helm"
	_ "sigs.k8s.io/kustomize/kustomize/v4"
)
