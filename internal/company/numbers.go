package company

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrNumbers is wrapped by the errors of UnpackNumbers.
var ErrNumbers = errors.New("damaged numbers of companies")

// PackNumbers returns the numbers in their order as they are stored: four bytes each, the lowest first.
func PackNumbers(numbers []Number) []byte {
	b := make([]byte, 0, 4*len(numbers))
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// UnpackNumbers reads what PackNumbers wrote.
func UnpackNumbers(b []byte) ([]Number, error) {
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrNumbers, len(b))
	}
	numbers := make([]Number, 0, len(b)/4)
	for ; len(b) > 0; b = b[4:] {
		numbers = append(numbers, Number(binary.LittleEndian.Uint32(b)))
	}
	return numbers, nil
}
