// Package grace decides which assets of earlier releases stay served for a while after a publish, so that
// pages that are still open find the scripts and pictures that they name. A target keeps the list of them
// with what is live. It is no part of a release.
package grace
