package query

import (
	"crypto/sha256"
	"encoding/binary"
)

// Fingerprint returns a hash of the tree: equal trees have equal fingerprints, as long as the query language does not change.
func (q Query) Fingerprint() [16]byte {
	sum := sha256.Sum256(appendNode(nil, q.Root))
	return [16]byte(sum[:16])
}

// appendNode writes a tree so that different trees differ: a letter for the kind, lengths before what follows.
func appendNode(p []byte, n Node) []byte {
	switch n := n.(type) {
	case nil:
		return append(p, '*')
	case And:
		return appendNodes(append(p, '&'), n)
	case Or:
		return appendNodes(append(p, '|'), n)
	case Not:
		return appendNode(append(p, '!'), n.Node)
	case OneOf:
		return appendTexts(append(p, 'o', byte(n.Field)), n.Values)
	case Prefix:
		return appendTexts(append(p, 'p', byte(n.Field)), []string{n.Value})
	case Range:
		return appendBound(appendBound(append(p, 'r', byte(n.Field)), n.Min), n.Max)
	case Term:
		return appendTexts(append(p, beginning(textKind('t', n.InName), n.Prefix)), []string{n.Word})
	case Phrase:
		return appendTexts(append(p, beginning(textKind('w', n.InName), n.Prefix)), n.Words)
	case Domain:
		return appendTexts(append(p, beginning('d', n.Prefix)), []string{n.Name})
	case Word:
		return appendNodes(append(p, 'f'), n.Forms)
	case Connected:
		return appendTexts(append(p, 'c'), []string{n.Category, string(n.Company.UUID[:]), n.Domain})
	case Within:
		return appendNode(append(p, 'i'), n.Node)
	case InSet:
		return appendTexts(append(p, 's'), []string{n.Key})
	}
	panic("query: unknown node")
}

// textKind returns the letter of a kind of text, the next one for a text in the name alone: u for t, x for w.
func textKind(kind byte, inName bool) byte {
	if inName {
		return kind + 1
	}
	return kind
}

// beginning returns the letter of a kind, in upper case for one that matches beginnings of words.
func beginning(kind byte, prefix bool) byte {
	if prefix {
		return kind + 'A' - 'a'
	}
	return kind
}

func appendNodes[N Node](p []byte, nodes []N) []byte {
	p = binary.AppendUvarint(p, uint64(len(nodes)))
	for _, n := range nodes {
		p = appendNode(p, n)
	}
	return p
}

func appendTexts(p []byte, texts []string) []byte {
	p = binary.AppendUvarint(p, uint64(len(texts)))
	for _, s := range texts {
		p = append(binary.AppendUvarint(p, uint64(len(s))), s...)
	}
	return p
}

func appendBound(p []byte, bound *int64) []byte {
	if bound == nil {
		return append(p, 0)
	}
	return binary.AppendVarint(append(p, 1), *bound)
}
