package company

// EmployeeBandMaxima are the highest employee counts of the bands; the last band has no upper bound.
var EmployeeBandMaxima = [...]int64{10, 50, 200, 500, 1000, 5000, 10000}

// BandOf returns the bounds of the band of a value of the number field, both included; nil for no upper bound. The bands are
// those of the facets: sizes, and decades. An unknown field has one band for all values.
func BandOf(field string, value int64) (low int64, high *int64) {
	switch field {
	case "employee_count":
		for _, end := range EmployeeBandMaxima {
			if value <= end {
				return low, &end
			}
			low = end + 1
		}
		return low, nil
	case "founded_year":
		low = value - value%10
		end := low + 9
		return low, &end
	}
	return 0, nil
}
