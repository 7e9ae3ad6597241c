//go:build !race

package check_test

// raceDetector makes a large site a smaller one: it is many times slower.
const raceDetector = false
