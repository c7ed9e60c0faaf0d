// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import "strings"

// name is a name as people write it and as it stands in mail addresses.
type name struct{ shown, mail string }

// names reads a table: what differs in mail addresses follows after a slash.
func names(table string) []name {
	fields := strings.Fields(table)
	list := make([]name, len(fields))
	for i, f := range fields {
		shown, mail, ok := strings.Cut(f, "/")
		if !ok {
			mail = strings.ToLower(shown)
		}
		list[i] = name{shown, mail}
	}
	return list
}

var brands = []string{"veldhaven", "osterby", "millbrace", "tamarind-works", "corvane", "lindenpost", "quayside-labs", "brightmere"}

var givenNames = names(`
Aaliyah Aarav Adrien Agnes Aisha Albert Alejandra Amara Anaïs/anais Anders Andrea Anjali Arjun Astrid Ayumi Beatriz
Bram Brigitte Caio Camille Carlos Cheng Chidi Clara Daan Dalia Deepika Diego Dominik Edith Eero Elif
Emeka Emre Esther Fatima Femke Fiona Florian Franziska Gabriel Giulia Grace Gustavo Hannah Haruto Helena Hugo
Ibrahim Ilse Imogen Ines/ines Isabel Ivo Jade Jakub Jasper Joana João/joao Jürgen/juergen Karim Katarzyna Kavya Keiko
Kofi Lars Laura Leila Liam Lotte Lucía/lucia Maarten Magdalena Malik Marieke Mateus Mei Meera Milan Nadia
Nikhil Nora Olivia Oskar Paulo Priya Rafael Rohan Saskia Sean Sofia Søren/soeren Tamsin Thijs Victoria Zoë/zoe`)

var familyNames = names(`
Abbott Achterberg Adeyemi Agarwal Almeida Andersson Bakker Banerjee Barbosa Baumann Becker Bell Bertrand Bianchi Blom Boateng
Bouchard Brandão/brandao Brook Bruins Cardoso Carvalho Castillo Chandra Chevalier Clarke Coelho Colombo Conti Cruz Dahl DaSilva
Dekker Delacroix Desai Dijkstra Dubois Duarte Eklund Engel Esposito Fabre Farouk Ferreira Fischer Fitzgerald Fontana Forsberg
Fournier Freitas Gallagher Garnier Ghosh Goh Gomes Graf Greenwood Gupta Haas Hakimi Halvorsen Hartmann Hassan Hayashi
Heikkinen Hendriks Herrera Hoekstra Holloway Horvath/horvath Huang Iyer Jacobs Jankowski Jensen Joshi Kapoor Keller Khan Kimura
Klein Köhler/koehler Kovács/kovacs Krüger/krueger Kumar Laurent Leclerc Lehmann Lim Lindgren Lopes Maalouf Marchetti Martins Mbeki McAllister
Mehta Mercier Meyer Monteiro Mueller Murphy Nakamura Nair Ng Nguyen Nielsen Novotny/novotny Nunes OBrien Oduya Okonkwo
Oliveira Osei Patel Pereira Peeters Ramos Reddy Rossi Sato Schouten Sharma Smit Tanaka Teixeira VanDam Visser`)

// departments are in the order of their heads, who are the people from number
// one on; it says which is IT.
var departments = []struct {
	name, head, lead string
	titles           []string
	topics           []string
}{
	{"Finance", "Chief Financial Officer", "Finance Manager", []string{"Accountant", "Controller", "Payroll Specialist", "Treasury Analyst"}, []string{"budget", "ledger", "invoices", "forecast", "audit", "payroll"}},
	{"Information Technology", "Chief Information Officer", "IT Team Lead", []string{"Systems Administrator", "Service Desk Analyst", "Network Engineer", "Cloud Engineer"}, []string{"rollout", "network", "licenses", "incident", "migration", "backup"}},
	{"Sales", "Head of Sales", "Regional Sales Manager", []string{"Account Executive", "Sales Engineer", "Account Manager"}, []string{"pipeline", "proposal", "pricing", "quotation", "renewal", "territory"}},
	{"Operations", "Chief Operating Officer", "Operations Manager", []string{"Planner", "Logistics Coordinator", "Quality Engineer", "Plant Technician"}, []string{"schedule", "shift-plan", "inventory", "shipment", "maintenance", "safety"}},
	{"Research", "Head of Research", "Research Lead", []string{"Scientist", "Research Engineer", "Laboratory Technician"}, []string{"experiment", "prototype", "protocol", "results", "patent", "review"}},
	{"Engineering", "Chief Technology Officer", "Engineering Manager", []string{"Software Engineer", "Mechanical Engineer", "Test Engineer", "Architect"}, []string{"design", "specification", "roadmap", "release", "test-plan", "drawing"}},
	{"Human Resources", "Head of People", "HR Manager", []string{"Recruiter", "HR Business Partner", "Training Specialist"}, []string{"handbook", "onboarding", "reviews", "vacancies", "benefits", "training"}},
	{"Marketing", "Head of Marketing", "Marketing Manager", []string{"Content Editor", "Campaign Specialist", "Designer"}, []string{"campaign", "brand", "newsletter", "launch", "survey", "event"}},
	{"Legal", "General Counsel", "Senior Counsel", []string{"Legal Counsel", "Paralegal", "Compliance Officer"}, []string{"contract", "agreement", "privacy", "filing", "dispute", "policy"}},
	{"Procurement", "Head of Procurement", "Sourcing Manager", []string{"Buyer", "Category Specialist", "Contract Specialist"}, []string{"tender", "supplier", "orders", "savings", "catalog", "rates"}},
	{"Customer Service", "Head of Customer Service", "Service Team Lead", []string{"Service Agent", "Field Technician", "Support Engineer"}, []string{"tickets", "guide", "escalation", "feedback", "visits", "warranty"}},
	{"Facilities", "Head of Facilities", "Site Manager", []string{"Facilities Coordinator", "Receptionist", "Security Officer"}, []string{"floor-plan", "access", "parking", "leases", "cleaning", "moves"}},
}

// model is a kind of device with its programs.
type model struct {
	name, os, browser, version, agent, mail string
}

const (
	edgeVersion  = "142.0.0.0"
	chromeAgent  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
	edgeAgent    = chromeAgent + " Edg/142.0.0.0"
	safariAgent  = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15"
	firefoxAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
	iPhoneAgent  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"
	phoneAgent   = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)

var laptopModels = []model{
	{"LT", "Windows11", "Edge", edgeVersion, edgeAgent, "OUTLOOK.EXE"},
	{"LT", "Windows11", "Edge", edgeVersion, edgeAgent, "OUTLOOK.EXE"},
	{"LT", "Windows10", "Edge", edgeVersion, edgeAgent, "OUTLOOK.EXE"},
	{"LT", "Windows11", "Chrome", edgeVersion, chromeAgent, "OUTLOOK.EXE"},
	{"MB", "MacOs", "Safari", "26.1", safariAgent, "Microsoft Outlook"},
	{"LT", "Windows11", "Firefox", "145.0", firefoxAgent, "OUTLOOK.EXE"},
}

var phoneModels = []model{
	{"iPhone", "Ios 18.7", "Mobile Safari", "26.1", iPhoneAgent, ""},
	{"SM", "Android 16", "Chrome Mobile", edgeVersion, phoneAgent, ""},
	{"iPhone", "Ios 18.7", "Mobile Safari", "26.1", iPhoneAgent, ""},
	{"Pixel", "Android 16", "Chrome Mobile", edgeVersion, phoneAgent, ""},
}

var homeModels = []model{
	{"DESKTOP", "Windows11", "Chrome", edgeVersion, chromeAgent, ""},
	{"DESKTOP", "Windows10", "Firefox", "145.0", firefoxAgent, ""},
	{"MacBook", "MacOs", "Safari", "26.1", safariAgent, ""},
	{"DESKTOP", "Windows11", "Edge", edgeVersion, edgeAgent, ""},
}
