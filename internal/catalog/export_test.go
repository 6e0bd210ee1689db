package catalog

// NameKey is the key under which a name is stored.
var NameKey = nameKey
