package view

// sectors are the sectors of the North American Industry Classification System (2022) by their first two digits.
var sectors = map[string]string{
	"11": "Agriculture, forestry, fishing and hunting",
	"21": "Mining, quarrying, oil and gas",
	"22": "Utilities",
	"23": "Construction",
	"31": "Manufacturing: food, textiles",
	"32": "Manufacturing: wood, paper, chemicals",
	"33": "Manufacturing: metal, machinery, electronics",
	"42": "Wholesale trade",
	"44": "Retail trade: stores",
	"45": "Retail trade: general and other",
	"48": "Transportation",
	"49": "Postal, courier, warehousing",
	"51": "Information",
	"52": "Finance and insurance",
	"53": "Real estate, rental and leasing",
	"54": "Professional, scientific, technical services",
	"55": "Management of companies",
	"56": "Administrative, support, waste services",
	"61": "Educational services",
	"62": "Health care and social assistance",
	"71": "Arts, entertainment, recreation",
	"72": "Accommodation and food services",
	"81": "Other services",
	"92": "Public administration",
}

// sectorLabel returns a NAICS code with the name of its sector. A code that is not a sector is returned alone.
func sectorLabel(code string) string {
	if name := sectors[code]; name != "" {
		return code + " " + name
	}
	return code
}
