package view

import "slices"

// choice is a value that a form can have.
type choice[T comparable] struct {
	Value T
	Label string
}

func isChoice[T comparable](choices []choice[T], value T) bool {
	return slices.ContainsFunc(choices, func(c choice[T]) bool { return c.Value == value })
}

// option is a line of a menu.
type option struct {
	Value, Label string
	Chosen       bool
}

// optionsOf returns the choices as lines of a menu.
func optionsOf[T ~string](choices []choice[T], chosen T) []option {
	all := make([]option, len(choices))
	for i, c := range choices {
		all[i] = option{string(c.Value), c.Label, c.Value == chosen}
	}
	return all
}

// choose marks the line that was chosen. Something that was deleted since then becomes a line with this label, so that the form is not sent
// again without it unnoticed.
func choose(all []option, chosen, deleted string) []option {
	i := slices.IndexFunc(all, func(o option) bool { return o.Value == chosen })
	if i < 0 {
		return append(all, option{chosen, deleted, true})
	}
	all[i].Chosen = true
	return all
}
