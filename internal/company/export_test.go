package company

import "slices"

// Countries returns all countries, ordered by name.
func Countries() []Country { return slices.Clone(countries().all) }
