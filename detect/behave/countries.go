// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

// countryTable says where a country is: its ISO 3166-1 alpha-2 code (XK is Kosovo's, as many use it), the latitude and
// longitude of about its middle in degrees, how far from there, in kilometers, nearly all of its people
// live, and its usual English name. The figures are round: a place that is known by its country
// alone is known no better.
const countryTable = `
AD 42.5 1.6 20 Andorra
AE 24 54 220 United Arab Emirates
AF 33.8 66 620 Afghanistan
AG 17.1 -61.8 20 Antigua and Barbuda
AI 18.2 -63.1 20 Anguilla
AL 41.1 20 130 Albania
AM 40.2 45 130 Armenia
AO -12.3 17.5 850 Angola
AQ -80 0 3000 Antarctica
AR -35 -65.5 2000 Argentina
AS -14.3 -170.7 100 American Samoa
AT 47.6 14.1 340 Austria
AU -25 134 2300 Australia
AW 12.5 -70 20 Aruba
AX 60.2 20 30 Aland Islands
AZ 40.3 47.7 220 Azerbaijan
BA 44.2 17.8 170 Bosnia and Herzegovina
BB 13.2 -59.5 20 Barbados
BD 24 90.2 290 Bangladesh
BE 50.6 4.7 130 Belgium
BF 12.3 -1.7 400 Burkina Faso
BG 42.8 25.2 250 Bulgaria
BH 26.1 50.5 20 Bahrain
BI -3.4 29.9 130 Burundi
BJ 9.6 2.3 400 Benin
BL 17.9 -62.8 20 Saint Barthelemy
BM 32.3 -64.8 20 Bermuda
BN 4.5 114.7 60 Brunei
BO -16.7 -64.7 800 Bolivia
BQ 12.2 -68.3 700 Bonaire, Sint Eustatius and Saba
BR -10.8 -53 2700 Brazil
BS 24.7 -78 500 Bahamas
BT 27.4 90.4 150 Bhutan
BW -22.2 23.8 580 Botswana
BY 53.5 28 350 Belarus
BZ 17.2 -88.7 120 Belize
CA 56 -96 3100 Canada
CD -2.9 23.7 1170 Democratic Republic of the Congo
CF 6.6 20.5 600 Central African Republic
CG -0.8 15.2 600 Congo
CH 46.8 8.2 150 Switzerland
CI 7.6 -5.6 430 Ivory Coast
CK -21.2 -159.8 1200 Cook Islands
CL -35.7 -71.5 2300 Chile
CM 5.7 12.7 700 Cameroon
CN 36 104 2700 China
CO 3.9 -73 1000 Colombia
CR 10 -84 170 Costa Rica
CU 21.6 -79 600 Cuba
CV 15.9 -24 50 Cape Verde
CW 12.2 -69 20 Curacao
CY 35.1 33.2 70 Cyprus
CZ 49.8 15.3 210 Czechia
DE 51.1 10.4 520 Germany
DJ 11.7 42.6 120 Djibouti
DK 56 10 370 Denmark
DM 15.4 -61.4 20 Dominica
DO 18.9 -70.5 170 Dominican Republic
DZ 28.2 2.6 1300 Algeria
EC -1.4 -78.8 400 Ecuador
EE 58.7 25.5 160 Estonia
EG 26.5 29.9 800 Egypt
EH 24.2 -12.9 600 Western Sahara
ER 15.4 38.8 500 Eritrea
ES 40.2 -3.6 650 Spain
ET 8.6 39.6 800 Ethiopia
FI 64.5 26.3 650 Finland
FJ -17.8 178 350 Fiji
FK -51.7 -59.4 80 Falkland Islands
FM 7 152 1700 Micronesia
FO 62 -6.9 30 Faroe Islands
FR 46.5 2.5 650 France
GA -0.6 11.8 390 Gabon
GB 54 -2.5 720 United Kingdom
GD 12.1 -61.7 20 Grenada
GE 42.2 43.5 200 Georgia
GF 3.9 -53.1 220 French Guiana
GG 49.5 -2.6 20 Guernsey
GH 7.9 -1.2 370 Ghana
GI 36.1 -5.35 20 Gibraltar
GL 68 -45 1500 Greenland
GM 13.4 -15.4 80 Gambia
GN 10.4 -10.9 380 Guinea
GP 16.2 -61.5 30 Guadeloupe
GQ 1.7 10.4 450 Equatorial Guinea
GR 39 22.8 550 Greece
GT 15.7 -90.4 250 Guatemala
GU 13.4 144.8 20 Guam
GW 12 -15 140 Guinea-Bissau
GY 4.8 -58.9 500 Guyana
HK 22.4 114.1 30 Hong Kong
HN 14.8 -86.6 250 Honduras
HR 45.1 16.4 320 Croatia
HT 18.9 -72.7 130 Haiti
HU 47.2 19.4 230 Hungary
ID -2.2 117.3 2600 Indonesia
IE 53.2 -8.1 200 Ireland
IL 31.4 35 260 Israel
IM 54.2 -4.5 20 Isle of Man
IN 22.9 79.6 1750 India
IO -7.3 72.4 20 British Indian Ocean Territory
IQ 33 43.7 500 Iraq
IR 32.6 54.3 1100 Iran
IS 65 -18.6 240 Iceland
IT 42.8 12.1 750 Italy
JE 49.2 -2.1 20 Jersey
JM 18.2 -77.3 80 Jamaica
JO 31.2 36.8 230 Jordan
JP 37.6 138 1900 Japan
KE 0.6 37.8 580 Kenya
KG 41.5 74.6 340 Kyrgyzstan
KH 12.7 104.9 320 Cambodia
KI 1.4 173 3600 Kiribati
KM -11.9 43.7 30 Comoros
KN 17.3 -62.7 20 Saint Kitts and Nevis
KP 40.2 127.2 260 North Korea
KR 36.4 127.8 400 South Korea
KW 29.3 47.6 100 Kuwait
KY 19.4 -81 20 Cayman Islands
KZ 48.2 67.3 1600 Kazakhstan
LA 18.5 103.8 600 Laos
LB 33.9 35.9 80 Lebanon
LC 13.9 -61 20 Saint Lucia
LI 47.1 9.5 20 Liechtenstein
LK 7.6 80.7 200 Sri Lanka
LR 6.4 -9.3 250 Liberia
LS -29.6 28.2 130 Lesotho
LT 55.3 23.9 190 Lithuania
LU 49.8 6.1 40 Luxembourg
LV 56.9 24.9 190 Latvia
LY 27 18 1010 Libya
MA 31.9 -6.3 750 Morocco
MC 43.7 7.4 20 Monaco
MD 47.2 28.5 140 Moldova
ME 42.8 19.2 90 Montenegro
MF 18.1 -63 20 Saint Martin
MG -19.4 46.7 850 Madagascar
MH 7.1 171.2 900 Marshall Islands
MK 41.6 21.7 120 North Macedonia
ML 17.3 -3.5 1100 Mali
MM 21.2 96.5 1300 Myanmar
MN 46.8 103 1250 Mongolia
MO 22.2 113.5 20 Macao
MP 15.2 145.7 650 Northern Mariana Islands
MQ 14.7 -61 30 Martinique
MR 20.3 -10.3 770 Mauritania
MS 16.7 -62.2 20 Montserrat
MT 35.9 14.4 20 Malta
MU -20.3 57.6 650 Mauritius
MV 3.7 73.2 550 Maldives
MW -13.2 34.3 500 Malawi
MX 24 -102.5 1900 Mexico
MY 3.8 109.7 1150 Malaysia
MZ -17.3 35.5 1100 Mozambique
NA -22.1 17.2 950 Namibia
NC -21.3 165.7 400 New Caledonia
NE 17.4 9.4 860 Niger
NF -29 167.9 20 Norfolk Island
NG 9.6 8.1 730 Nigeria
NI 12.8 -85 270 Nicaragua
NL 52.2 5.6 160 Netherlands
NO 64.5 14 1050 Norway
NP 28.2 83.9 450 Nepal
NR -0.5 166.9 20 Nauru
NU -19 -169.9 20 Niue
NZ -41.5 172.5 1000 New Zealand
OM 20.6 56.1 700 Oman
PA 8.5 -80.1 330 Panama
PE -9.2 -74.4 1150 Peru
PF -17.7 -149.4 1700 French Polynesia
PG -6.5 145.2 1100 Papua New Guinea
PH 11.8 122.9 950 Philippines
PK 29.9 69.3 950 Pakistan
PL 52.1 19.4 430 Poland
PM 46.9 -56.3 20 Saint Pierre and Miquelon
PR 18.2 -66.5 70 Puerto Rico
PS 31.9 35.2 110 Palestine
PT 39.6 -8.5 350 Portugal
PW 7.5 134.6 500 Palau
PY -23.2 -58.4 490 Paraguay
QA 25.3 51.2 80 Qatar
RE -21.1 55.5 40 Reunion
RO 45.9 25 370 Romania
RS 44.2 20.8 210 Serbia
RU 61 90 4700 Russia
RW -2 29.9 120 Rwanda
SA 24.1 44.5 1200 Saudi Arabia
SB -8.9 159.6 900 Solomon Islands
SC -4.7 55.5 1200 Seychelles
SD 16 30 1050 Sudan
SE 62.8 16.7 870 Sweden
SG 1.35 103.8 20 Singapore
SH -16 -5.7 2500 Saint Helena
SI 46.1 14.8 110 Slovenia
SJ 78.8 18.4 190 Svalbard and Jan Mayen
SK 48.7 19.5 170 Slovakia
SL 8.6 -11.8 200 Sierra Leone
SM 43.9 12.5 20 San Marino
SN 14.4 -14.5 340 Senegal
SO 4.8 45.7 1000 Somalia
SR 4.1 -55.9 310 Suriname
SS 7.3 30.2 610 South Sudan
ST 0.4 6.7 150 Sao Tome and Principe
SV 13.7 -88.9 110 El Salvador
SX 18 -63.1 20 Sint Maarten
SY 35 38.5 330 Syria
SZ -26.6 31.5 100 Eswatini
TC 21.8 -71.8 20 Turks and Caicos Islands
TD 15.3 18.6 860 Chad
TG 8.5 1 340 Togo
TH 15.1 101 1050 Thailand
TJ 38.5 71 430 Tajikistan
TL -8.8 125.8 90 Timor-Leste
TM 39.1 59.4 530 Turkmenistan
TN 34.1 9.6 450 Tunisia
TO -20 -174.8 450 Tonga
TR 39.1 35.2 850 Turkey
TT 10.5 -61.3 50 Trinidad and Tobago
TV -7.5 178.7 450 Tuvalu
TW 23.8 121 140 Taiwan
TZ -6.3 34.8 740 Tanzania
UA 49 31.4 750 Ukraine
UG 1.3 32.4 370 Uganda
US 39.8 -98.6 2500 United States
UY -32.8 -56 320 Uruguay
UZ 41.8 63.1 850 Uzbekistan
VA 41.9 12.45 20 Vatican City
VC 13.2 -61.2 20 Saint Vincent and the Grenadines
VE 7.1 -66.2 900 Venezuela
VG 18.5 -64.5 20 British Virgin Islands
VI 18 -64.8 20 U.S. Virgin Islands
VN 16.6 106.3 1000 Vietnam
VU -16.2 167.7 500 Vanuatu
WF -13.8 -177.2 250 Wallis and Futuna
WS -13.8 -172.2 40 Samoa
XK 42.6 20.9 80 Kosovo
YE 15.9 47.6 1000 Yemen
YT -12.8 45.1 20 Mayotte
ZA -29 25 1000 South Africa
ZM -13.5 27.8 660 Zambia
ZW -19 29.9 480 Zimbabwe
`
