// Package delta makes the deltas that a git pack holds: what separates an object from another one
// that the receiver has. See "Deltified representation" in gitformat-pack(5).
package delta

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	block    = 16      // bytes; the shortest copy that is looked for
	maxChain = 32      // blocks of the base with one hash that are compared
	enough   = 4 << 10 // bytes; a longer copy than this one is not looked for
	maxCopy  = 1 << 16 // bytes of one instruction
	maxText  = 127     // bytes of one instruction
)

// Encode returns a delta that makes target of base, nil where it would have more than limit bytes.
// Time is linear in the sizes, and memory is below the base's size.
func Encode(base, target []byte, limit int) []byte {
	e := encoder{base: base, target: target, limit: limit}
	e.out = binary.AppendUvarint(e.out, uint64(len(base)))
	e.out = binary.AppendUvarint(e.out, uint64(len(target)))
	e.index()
	for e.at+block <= len(target) && len(e.out)+e.at-e.done <= limit {
		if from, size := e.match(); size > 0 {
			e.copyFrom(from, size)
		} else {
			e.step()
		}
	}
	e.at = len(target)
	e.text()
	if len(e.out) > limit {
		return nil
	}
	return e.out
}

type encoder struct {
	base, target []byte
	limit        int

	// The places of the base's blocks, in their order, by bucket: those of bucket i are
	// places[ends[i-1]:ends[i]].
	places []int32
	ends   []int32
	shift  int

	out    []byte
	at     int    // in target
	done   int    // bytes of target that out makes
	ahead  int    // the place in base that follows the last copy, less done
	sum    uint32 // hash of the block at at, where hashed
	hashed bool
}

// Of the rolling hash: the sum of the bytes of a block, each times a power of an odd number.
const factor = 0x08104225

// leaving is factor to the power of block-1, by which the first byte of a block counts.
var leaving = func() uint32 {
	p := uint32(1)
	for range block - 1 {
		p *= factor
	}
	return p
}()

func hash(b []byte) uint32 {
	var h uint32
	for _, c := range b[:block] {
		h = h*factor + uint32(c) + 1
	}
	return h
}

// bucket spreads a hash over the heads.
func (e *encoder) bucket(h uint32) uint32 { return h * 0x9e3779b1 >> e.shift }

// index notes where the blocks of the base are. Of blocks in a row with the same bytes the first one
// counts.
func (e *encoder) index() {
	count := len(e.base) / block
	if count == 0 {
		return
	}
	size := bits.Len(uint(count))
	e.shift = 32 - size
	e.ends = make([]int32, 1<<size+1)
	e.blocks(func(bucket uint32, _ int) { e.ends[bucket+1]++ })
	for i := range 1 << size {
		e.ends[i+1] += e.ends[i]
	}
	e.places = make([]int32, e.ends[1<<size])
	e.blocks(func(bucket uint32, place int) { // the beginning of each bucket becomes its end
		e.places[e.ends[bucket]] = int32(place)
		e.ends[bucket]++
	})
}

func (e *encoder) blocks(f func(bucket uint32, place int)) {
	for at := 0; at+block <= len(e.base); at += block {
		if here := e.base[at : at+block]; at == 0 || !bytes.Equal(here, e.base[at-block:at]) {
			f(e.bucket(hash(here)), at)
		}
	}
}

// candidates are the places of blocks that may be the one at at: of too many, those about the place
// where base would go on.
func (e *encoder) candidates() []int32 {
	b := e.bucket(e.sum)
	first := int32(0)
	if b > 0 {
		first = e.ends[b-1]
	}
	all := e.places[first:e.ends[b]]
	if len(all) <= maxChain {
		return all
	}
	i, _ := slices.BinarySearch(all, int32(e.at+e.ahead))
	i = min(max(i-maxChain/2, 0), len(all)-maxChain)
	return all[i : i+maxChain]
}

// step goes on by one byte of target, which out does not make yet.
func (e *encoder) step() {
	if e.hashed && e.at+block < len(e.target) {
		e.sum = (e.sum-(uint32(e.target[e.at])+1)*leaving)*factor + uint32(e.target[e.at+block]) + 1
	} else {
		e.hashed = false
	}
	e.at++
}

// match finds the longest copy for what begins at at, size 0 for none. The place that would
// follow an edit of the same length comes first.
func (e *encoder) match() (from, size int) {
	if next := e.at + e.ahead; next >= 0 && next < len(e.base) {
		if n := common(e.base[next:], e.target[e.at:]); n >= block {
			from, size = next, n
		}
	}
	if size >= enough || len(e.places) == 0 {
		return from, size
	}
	if !e.hashed {
		e.sum, e.hashed = hash(e.target[e.at:]), true
	}
	for _, place := range e.candidates() {
		if size >= enough {
			break
		}
		if n := common(e.base[place:], e.target[e.at:]); n >= block && n > size {
			from, size = int(place), n
		}
	}
	return from, size
}

// common is how many bytes at the beginning are the same.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// copyFrom adds a copy, which begins earlier where the bytes before it are the same too.
func (e *encoder) copyFrom(from, size int) {
	for e.at > e.done && from > 0 && e.base[from-1] == e.target[e.at-1] {
		from, size, e.at = from-1, size+1, e.at-1
	}
	e.text()
	e.ahead = from - e.at
	e.at += size
	e.done, e.hashed = e.at, false
	for size > 0 {
		n := min(size, maxCopy)
		e.copyOp(from, n)
		from, size = from+n, size-n
	}
}

// copyOp writes the bytes of place and size that are not zero. A size of maxCopy has none.
func (e *encoder) copyOp(from, size int) {
	op, at := byte(0x80), len(e.out)
	e.out = append(e.out, op)
	for i := range 4 {
		if b := byte(from >> (8 * i)); b != 0 {
			e.out, op = append(e.out, b), op|1<<i
		}
	}
	for i := range 2 {
		if b := byte(size >> (8 * i)); b != 0 && size != maxCopy {
			e.out, op = append(e.out, b), op|0x10<<i
		}
	}
	e.out[at] = op
}

// text writes what no copy makes, as far as at.
func (e *encoder) text() {
	for e.done < e.at {
		n := min(e.at-e.done, maxText)
		e.out = append(append(e.out, byte(n)), e.target[e.done:e.done+n]...)
		e.done += n
	}
}
