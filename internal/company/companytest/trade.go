package companytest

import (
	"math/rand/v2"
	"slices"
)

// line is a line of business: its labels, its NAICS codes and the words of its descriptions.
type line struct {
	industries []string
	naics      []string
	offers     []string
	customers  []string
}

// lines are sorted by frequency, most frequent first.
var lines = []line{
	{
		[]string{"Software", "SaaS", "Enterprise Software", "Developer Tools", "Artificial Intelligence"},
		[]string{"513210", "541511", "541512"},
		[]string{"a workflow platform", "open source developer tools", "machine learning for documents", "an analytics dashboard"},
		[]string{"software teams", "operations managers", "data engineers"},
	},
	{
		[]string{"Fintech", "Financial Services", "Payments", "Banking", "Lending"},
		[]string{"522320", "522110", "523940", "522291"},
		[]string{"payment processing", "fraud detection", "a card issuing platform", "small business loans", "fintech infrastructure"},
		[]string{"banks and credit unions", "online merchants", "small businesses"},
	},
	{
		[]string{"Health Care", "Digital Health", "Biotechnology", "Medical Devices"},
		[]string{"621111", "339112", "325414", "541714"},
		[]string{"clinical trial software", "remote patient monitoring", "diagnostic instruments", "drug discovery by machine learning"},
		[]string{"hospitals", "clinics and laboratories", "patients with rare diseases"},
	},
	{
		[]string{"Manufacturing", "Industrial Automation", "Robotics", "Machinery"},
		[]string{"333517", "333248", "332710", "334513"},
		[]string{"warehouse robots", "precision machine parts", "industrial sensors", "quality inspection by camera"},
		[]string{"car makers", "factories", "contract manufacturers"},
	},
	{
		[]string{"E-Commerce", "Retail", "Consumer Goods", "Marketplace"},
		[]string{"455110", "459999", "423990"},
		[]string{"an online marketplace", "subscription boxes", "point of sale systems", "household goods"},
		[]string{"independent shops", "families", "online sellers"},
	},
	{
		[]string{"Logistics", "Supply Chain", "Transportation", "Freight"},
		[]string{"484121", "488510", "493110", "492110"},
		[]string{"freight forwarding", "supply chain visibility", "last mile delivery", "cold storage"},
		[]string{"shippers", "food wholesalers", "online retailers"},
	},
	{
		[]string{"Professional Services", "Consulting", "Staffing", "Legal"},
		[]string{"541611", "561320", "541110"},
		[]string{"management consulting", "technical staffing", "contract review", "tax advice"},
		[]string{"public agencies", "mid-sized companies", "founders"},
	},
	{
		[]string{"Energy", "Clean Energy", "Utilities", "Solar"},
		[]string{"221114", "221115", "237130"},
		[]string{"rooftop solar power", "battery storage", "energy trading software", "wind farm maintenance"},
		[]string{"utilities", "home owners", "industrial sites"},
	},
	{
		[]string{"Media", "Advertising", "Marketing", "Gaming"},
		[]string{"512110", "541810", "513210"},
		[]string{"mobile games", "advertising technology", "film production", "customer surveys"},
		[]string{"brands and agencies", "players all over the world", "broadcasters"},
	},
	{
		[]string{"Cyber Security", "Software", "Networking"},
		[]string{"541519", "541512", "517810"},
		[]string{"identity management", "intrusion detection", "encrypted backup", "security audits"},
		[]string{"security teams", "hospitals", "banks and insurers"},
	},
	{
		[]string{"Construction", "Real Estate", "Building Materials"},
		[]string{"236220", "531120", "444180"},
		[]string{"site planning software", "modular housing", "property management", "low-carbon concrete"},
		[]string{"builders", "landlords", "architects"},
	},
	{
		[]string{"Food & Beverage", "Restaurants", "Agriculture"},
		[]string{"311999", "722511", "111219"},
		[]string{"plant-based food", "vertical farms", "café equipment", "meal delivery"},
		[]string{"restaurants", "supermarkets", "growers"},
	},
	{
		[]string{"Education", "E-Learning"},
		[]string{"611420", "611710"},
		[]string{"language courses", "school administration software", "coding lessons"},
		[]string{"schools and universities", "adult learners"},
	},
	{
		[]string{"Insurance", "Insurtech"},
		[]string{"524126", "524210"},
		[]string{"claims automation", "crop insurance", "embedded insurance"},
		[]string{"brokers", "insurers", "drivers"},
	},
	{
		[]string{"Aerospace", "Defense"},
		[]string{"336411", "336414"},
		[]string{"satellite components", "drone navigation", "flight test services"},
		[]string{"aircraft makers", "space agencies"},
	},
}

func industriesOf(r *rand.Rand, l line) []string {
	out := []string{pick(r, l.industries, skewMild)}
	for range r.IntN(3) {
		from := l
		if chance(r, 25) {
			from = pick(r, lines, skewSteep)
		}
		if next := pick(r, from.industries, skewMild); !slices.Contains(out, next) {
			out = append(out, next)
		}
	}
	return out
}

// technology is a name with its category; they are sorted by frequency, most frequent first.
var technologies = []struct{ name, category string }{
	{"Google Analytics", "Analytics"},
	{"Cloudflare", "CDN"},
	{"jQuery", "JavaScript Libraries"},
	{"nginx", "Web Servers"},
	{"WordPress", "CMS"},
	{"React", "JavaScript Frameworks"},
	{"PHP", "Programming Languages"},
	{"Salesforce", "CRM"},
	{"AWS", "Cloud Hosting"},
	{"HubSpot", "Marketing Automation"},
	{"PostgreSQL", "Databases"},
	{"MySQL", "Databases"},
	{"Python", "Programming Languages"},
	{"Shopify", "E-Commerce Platforms"},
	{"Stripe", "Payment Processors"},
	{"Kubernetes", "Containers"},
	{"Docker", "Containers"},
	{"Node.js", "Web Frameworks"},
	{"Zendesk", "Customer Support"},
	{"Redis", "Caching"},
	{"Vue.js", "JavaScript Frameworks"},
	{"Go", "Programming Languages"},
	{"Next.js", "Web Frameworks"},
	{"Ruby on Rails", "Web Frameworks"},
	{"Django", "Web Frameworks"},
	{"Azure", "Cloud Hosting"},
	{"Slack", "Collaboration"},
	{"Fastly", "CDN"},
	{"Varnish", "Caching"},
	{"Drupal", "CMS"},
	{"Magento", "E-Commerce Platforms"},
	{"Kafka", "Streaming"},
	{"Elasticsearch", "Search Engines"},
	{"Snowflake", "Data Warehouses"},
	{"Marketo", "Marketing Automation"},
	{"Matomo", "Analytics"},
	{"Adyen", "Payment Processors"},
	{"C++", "Programming Languages"},
	{"C#", "Programming Languages"},
	{"Rust", "Programming Languages"},
	{"ClickHouse", "Data Warehouses"},
	{"SAP", "ERP"},
	{"Odoo", "ERP"},
	{"Svelte", "JavaScript Frameworks"},
	{"Terraform", "Infrastructure"},
	{"Argo CD", "Infrastructure"},
	{"Airflow", "Workflow"},
	{"Superset", "Business Intelligence"},
}

func technologiesOf(r *rand.Rand) (names, categories []string) {
	if chance(r, 10) {
		return nil, nil
	}
	for range 1 + r.IntN(14) {
		t := pick(r, technologies, skewSteep)
		if slices.Contains(names, t.name) {
			continue
		}
		names = append(names, t.name)
		if !slices.Contains(categories, t.category) {
			categories = append(categories, t.category)
		}
	}
	return names, categories
}
