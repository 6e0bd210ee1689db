package postgres

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/opencapi/capi/internal/company"
)

// raw reads number, key and packed row in the server's binary format, which avoids a conversion per row. A
// null key is -1.
func raw(values [][]byte) (number company.Number, key float64, row []byte, err error) {
	if len(values) != 3 || len(values[0]) != 4 || (values[1] != nil && len(values[1]) != 8) {
		return 0, 0, nil, fmt.Errorf("not a binary row of number, key and facets: %v", values)
	}
	key = -1
	if values[1] != nil {
		key = math.Float64frombits(binary.BigEndian.Uint64(values[1]))
	}
	return company.Number(binary.BigEndian.Uint32(values[0])), key, values[2], nil
}
