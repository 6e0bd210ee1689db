package companytest

import (
	"strconv"
	"strings"
)

// The parts of a name: 64 x 64 x 32 combinations, each used once before a numeral distinguishes the next round.
var (
	firstWords = strings.Fields(`Amber Anchor Arctic Aspen Atlas Aurora Autumn Azure Beacon Birch Blue Bramble Bright
		Bronze Canyon Cedar Cinder Clear Cobalt Copper Coral Crimson Crystal Dawn Delta Dusk Eagle Eastern Echo Ember
		Evergreen Falcon Fern Flint Frost Garnet Glacier Golden Granite Harbor Hazel Heron Highland Iron Ivory Jade
		Juniper Lantern Laurel Linden Lunar Maple Marble Meadow Misty Nimbus Northern Oak Onyx Opal Pine Quartz River
		Silver`)
	secondWords = strings.Fields(`Arch Bay Bend Bloom Bridge Brook Canopy Castle Cliff Coast Compass Cove Creek Crest
		Crown Dale Drift Falls Field Forge Fox Gate Glen Grove Gull Hare Haven Hill Hollow Island Lake Landing Leaf
		Ledge Lynx Mill Moor Orchard Otter Owl Pass Path Peak Pier Point Pond Port Prairie Raven Reef Ridge Robin Rock
		Shore Sky Sparrow Spring Star Stone Summit Tide Valley Vista Wharf`)
	lastWords = strings.Fields(`Analytics Biotech Capital Cloud Commerce Components Consulting Data Dynamics Energy
		Engineering Foods Freight Health Holdings Industries Insights Instruments Labs Logistics Materials Media Mobility
		Networks Partners Payments Robotics Security Software Studios Systems Works`)
	numerals = strings.Fields(`Two Three Four Five Six Seven Eight Nine Ten`)
)

const combinations = 64 * 64 * 32

// headOf returns the name and domain of company i.
func headOf(seed uint64, i int) (name, domain string) {
	// An odd factor permutes the combinations, so that neighbours differ and none is repeated.
	k := (uint64(i)*48_271 + seed*69_621) % combinations
	words := []string{firstWords[k%64], secondWords[k/64%64], lastWords[k/(64*64)]}
	if round := i / combinations; round > 0 {
		words = append(words, numeral(round))
	}
	return strings.Join(words, " "), strings.ToLower(strings.Join(words, "")) + ".example"
}

func numeral(round int) string {
	if round <= len(numerals) {
		return numerals[round-1]
	}
	return strconv.Itoa(round + 1)
}
