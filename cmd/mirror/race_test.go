//go:build race

package main

// raceDetector makes the random worlds fewer: it is many times slower.
const raceDetector = true
