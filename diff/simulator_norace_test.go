//go:build !race

package diff_test

// raceDetector makes the simulator try fewer worlds: it has no goroutines to watch inside
// a world, and is many times slower.
const raceDetector = false
