package importer

// moreAliases are the names of columns in languages that aliases lacks, from Arabic to Vietnamese, and further names in those that it has.
// They are spelled as normalName spells them, or as people write them in scripts other than Latin. They rank after all of aliases.
var moreAliases = map[column]string{
	colName: `компания название наименование название_компании наименование_компании название_организации наименование_организации организация фирма предприятие юридическое_лицо полное_наименование сокращенное_наименование краткое_наименование контрагент
		компанія назва назва_компанії назва_підприємства підприємство організація
		nazwa nazwa_firmy nazwa_spolki spolka przedsiebiorstwo nazwa_przedsiebiorstwa nazwa_podmiotu kontrahent
		nazev nazev_firmy nazev_spolecnosti spolecnost obchodni_firma nazov nazov_firmy nazov_spolocnosti spolocnost obchodne_meno
		foretag foretagsnamn foretagets_namn bolag bolagsnamn namn firmanamn
		virksomhed virksomhedsnavn virksomhetsnavn firmanavn navn bedrift bedriftsnavn selskap selskapsnavn foretaksnavn organisasjonsnavn selskab
		yritys yrityksen_nimi toiminimi nimi
		cegnev ceg vallalat vallalatnev cegneve
		companie nume_companie nume_firma denumire denumire_firma denumire_companie societatea
		sirket sirket_adi firma_adi unvan firma_unvani ticaret_unvani kurum isletme_adi
		perusahaan nama_perusahaan nama_usaha
		cong_ty ten_cong_ty doanh_nghiep ten_doanh_nghiep
		επωνυμια εταιρεια ονομα_εταιρειας επωνυμια_εταιρειας επιχειρηση
		الشركة اسم_الشركة اسم_المنشأة المؤسسة
		חברה שם_החברה שם_חברה
		gesellschaft betrieb firmenbezeichnung unternehmensbezeichnung name_der_firma name_des_unternehmens denomination_sociale nom_commercial nom_de_la_entreprise nom_de_l_organisation denominacion_social sociedad razon_social_empresa empresas nome_da_companhia nome_fantasia denominazione_sociale societa nome_azienda impresa handelsnaam
		企業 会社 公司全称 企业名 機構名稱 公司名稱 企業名稱 기업 상호 법인명
		denomination_unite_legale 会社名称 企業名称 商号又は名称 identifier_value non_individual_name_text charity_name
		account customer customer_name client client_name kunde kundenname cliente nome_cliente nombre_cliente klant klantnaam klient nazwa_klienta kunder asiakas
		nom_du_client nom_client nombre_del_cliente nome_do_cliente bank bank_name bank_holding institution institution_name emittent emetteur emisor emittente
		hersteller manufacturer manufacturer_name lieferant fournisseur nom_fournisseur proveedor fornecedor fornitore leverancier dostawca
		exhibitor aussteller exposant expositor brand brands marke marque marca agency agency_name club store_name shop_name
		勤務先 勤務先名 所属企業 取引先 取引先名 仕入先 客户名称 客户 供应商 供应商名称 고객사 거래처 거래처명`,
	colDomain: `домен домени domena domenove_jmeno doman domene alan_adi ten_mien`,
	colWebsite: `сайт веб_сайт вебсайт адрес_сайта интернет_сайт адреса_сайту
		strona strona_internetowa strona_www adres_www www
		webove_stranky webova_stranka internetove_stranky web_stranka
		webbplats webbsida hemsida hjemmeside nettside nettsted verkkosivu verkkosivusto kotisivu kotisivut
		weboldal honlap webcim pagina_web_companie site_ul
		web_sitesi internet_sitesi internet_adresi situs_web situs trang_web
		ιστοσελιδα ιστοτοπος الموقع_الإلكتروني الموقع אתר אתר_אינטרנט
		pagina_de_internet sitio_de_internet sitio sitio_web_oficial pagina sito_internet website_adres internet 会社url 企業url 网站地址 網址 網站 公式サイト 公司网站 公司官網 홈페이지_주소 organization_website charity_contact_web ホームページurl webサイト ウェブサイトurl サイトurl`,
	colDescription: `gegenstand unternehmensgegenstand objet_social objeto_social oggetto_sociale przedmiot 经营范围 事業概要 charity_activities описание опис opis popis beskrivning beskrivelse kuvaus leiras descriere aciklama deskripsi mo_ta περιγραφη الوصف תיאור`,
	colCountry:     `страна країна kraj zeme stat krajina maa orszag tara ulke negara quoc_gia χωρα الدولة البلد מדינה ארץ 國家 所在国家 국가명 country_of_address`,
	colState: `регион область край регіон wojewodztwo fylke maakunta megye judet il_adi provinsi tinh νομος περιφερεια المنطقة המחוז
		comunidad_autonoma uf unidade_federativa unidade_da_federacao kanton canton provincie 省市 所在省份 所属省份 所属地区 province_or_state 광역시도 prov sigla_provincia sigla_prov cod_provincia provincia_sede provincia_sede_legale regio`,
	colCity: `город населенный_пункт місто miasto miejscowosc mesto obec stad_ort postort poststed by kommune kaupunki kotipaikka varos telepules oras localitate
		sehir il ilce kota kota_kabupaten thanh_pho πολη المدينة עיר ישוב
		localidad municipio poblacion localita woonplaats vestigingsplaats plaatsnaam gemeinde 所在城市 城市名称 시 所属城市 所属区县 town_city commune libelle_commune libelle_commune_etablissement city_town_village_locality city_town_village_locality_of_address населено_място`,
	colLocation: `местоположение местонахождение расположение місцезнаходження siedziba lokalizacja beliggenhed sijainti locatie konum lokasi εδρα седалище localizacao vestiging localisation lieu luogo office offices 总部 总部所在地 本社 plz_ort sede_legale sede_social firmensitz_ort ort_plz code_postal_ville cp_ville`,
	colPostal: `индекс почтовый_индекс поштовий_індекс kod_pocztowy psc postnummer postnr postinumero iranyitoszam cod_postal posta_kodu kode_pos
		cp c_p pstlz code_postal_etablissement codigo_post codice_postale 邮编 郵便番号 우편번호`,
	colIndustries: `отрасль отрасли сфера_деятельности вид_деятельности основной_вид_деятельности индустрия галузь сфера_діяльності
		branza branze sektor dzialalnosc przedmiot_dzialalnosci obor odvetvi obor_cinnosti odvetvie bransch branscher naering naeringsgren
		toimiala iparag agazat tevekenyseg domeniu domeniu_de_activitate sektoru faaliyet_alani industri bidang_usaha nganh_nghe linh_vuc
		κλαδος κλαδος_δραστηριοτητας القطاع الصناعة מגזר תעשייה ענף
		actividad actividad_principal sector_economico giro ramo_de_atividade atividade_principal attivita settore_attivita activite_principale
		geschaeftsfeld taetigkeitsfeld sbi_omschrijving libelle_ape libelle_naf libelle_activite_principale beschrijving_sbi naeringskode1_beskrivelse descrizione_ateco ateco_descrizione descripcion_cnae descricao_cnae opis_pkd wz_bezeichnung 所属行业 行業 產業 업종명`,
	colTechnologies: `технологии технології technologie technologia teknologi teknologier teknologiat teknolojiler`,
	colEmployees: `сотрудники сотрудников количество_сотрудников число_сотрудников численность численность_сотрудников численность_персонала штат количество_работников
		працівники кількість_працівників кількість_співробітників
		liczba_pracownikow pracownicy zatrudnienie wielkosc_zatrudnienia liczba_zatrudnionych
		pocet_zamestnancu zamestnanci pocet_zamestnancov
		anstallda antal_anstallda antal_anstallde ansatte antal_ansatte antall_ansatte henkilosto henkilostomaara henkilostoa tyontekijat tyontekijoita
		alkalmazottak alkalmazottak_szama letszam dolgozok_szama angajati numar_angajati numar_de_angajati numar_mediu_de_salariati
		calisan_sayisi calisanlar personel_sayisi jumlah_karyawan karyawan so_nhan_vien so_luong_nhan_vien
		αριθμος_εργαζομενων εργαζομενοι προσωπικο عدد_الموظفين الموظفين עובדים מספר_עובדים
		n_empleados no_empleados n_de_empleados no_de_empleados num_empleados cantidad_de_empleados n_de_funcionarios no_de_funcionarios n_funcionarios no_funcionarios
		n_dipendenti no_dipendenti n_addetti no_addetti nb_salaries nombre_salaries nbre_salaries anz_mitarbeiter ma_anzahl
		mitarbeiter_von mitarbeiter_min min_mitarbeiter mitarbeiter_ab anzahl_beschaeftigte beschaeftigtenzahl mitarbeiteranzahl personal effectif_min effectif_minimum tranche_effectif tranche_d_effectif
		empleados_min empleados_minimo min_empleados empleados_desde plantilla numero_de_trabajadores trabajadores funcionarios_min colaboradores numero_de_colaboradores
		no_employees total_headcount headcount_total staff_headcount employees_total total_staff number_of_staff no_of_staff num_employees_enum ftes fte number_of_ftes
		tranche_effectifs tranche_d_effectifs effectif_salarie effectif_total werkzame_personen 参保人数 员工规模 公司规模 企业规模 人数 従業員規模 사원수 사원_수 임직원수
		среднесписочная_численность estimated_num_employees taille tamano tamanho grosse groesse dimensione omvang wielkosc
		employes dipendenti_min addetti numero_addetti werknemers aantal_werknemers personeel 企业人数 人员规模 雇员人数 員工人數 従業員 직원_수 종업원수 anzahl_ma mitarbeitende anzahl_mitarbeitende beschaftigtenzahl beschaeftigtenzahl anzahl_beschaftigte effectif_salarie salaries`,
	colEmployeesMax: `mitarbeiter_bis mitarbeiter_max max_mitarbeiter effectif_max effectif_maximum empleados_max empleados_maximo max_empleados empleados_hasta
		funcionarios_max dipendenti_max`,
	colFounded: `год_основания дата_основания основана основано дата_регистрации дата_создания год_создания год_регистрации
		рік_заснування дата_заснування дата_реєстрації
		rok_zalozenia data_zalozenia data_rejestracji data_powstania rok_powstania data_rozpoczecia_dzialalnosci zalozona
		rok_zalozeni datum_zalozeni datum_vzniku vznik zalozeno rok_zalozenia_firmy datum_vzniku_spolocnosti
		grundat grundat_ar ar_grundat grundad grundades registreringsdatum startad stiftet stiftelsesdato stiftelsesar etableret etableringsdato etablert etableringsar oprettet grunnlagt
		perustettu perustamisvuosi perustamispaiva rekisterointipaiva
		alapitva alapitas_eve alapitas_datuma an_infiintare anul_infiintarii data_infiintarii data_inregistrarii
		kurulus_yili kurulus_tarihi kurulus tahun_berdiri tahun_didirikan nam_thanh_lap ngay_thanh_lap
		ετος_ιδρυσης ημερομηνια_ιδρυσης ιδρυση سنة_التأسيس تاريخ_التأسيس שנת_ייסוד תאריך_ייסוד
		in_business_since operating_since trading_since active_since year_of_founding year_of_formation year_of_inception birth_year
		gruendung grundung eintragungsdatum datum_der_gruendung cree_en date_immatriculation annee_de_fondation annee_fondation fondee_en fondation
		constituida constitucion fecha_de_inicio_de_actividades inicio_de_actividades ano_de_constitucion ano_de_creacion fecha_de_creacion
		ano_de_fundacao ano_fundacao fundada_em inicio_atividade data_inicio_atividade fondata fondata_nel anno_costituzione anno_di_costituzione data_iscrizione anno_di_fondazione opgericht_in datum_van_oprichting
		gegruendet_am gegrundet_am gruendung_am gegruendet_im gegrundet_im cree_le creee_le creee_en cree_en fonde_en fonde_le creation_le fondee_le date_de_fondation date_creation_unite_legale
		fecha_de_alta fecha_alta ano_de_inicio data_inizio_attivita oprichting startdato est year_est yr_est est_year year_of_est estd estab year_estd
		inc_date date_of_inc incorp_date entity_start_date business_start_date founded_timestamp founded_ts birth_date_of_company
		設立年月 創業年月 成立年月 开业日期 注册时间 创立时间 创办时间
		注册日期 創立 創立年 成立年 成立時間 開業年`,
}

// moreFirmWords, morePersonWords, moreContacts and moreTitles continue firmWords, personWords, contactColumns and titleColumns.
const (
	moreFirmWords = ` компания компании организация организации фирма предприятие предприятия контрагент компанія компанії підприємство підприємства організація
		spolka spolki firmy przedsiebiorstwo przedsiebiorstwa spolecnost spolecnosti spolocnost spolocnosti foretag foretagsnamn bolag bolagsnamn
		virksomhed virksomhedsnavn firmanavn firmanamn bedrift bedriftsnavn selskap selskab yritys yrityksen toiminimi ceg cegnev cegneve companie sirket
		perusahaan επωνυμια εταιρεια εταιρειας επιχειρηση الشركة חברה החברה gesellschaft betrieb sociedad companhia impresa handelsnaam`
	morePersonWords = ` имя фамилия отчество фио контактное_лицо должность ім_я прізвище піб посада
		imie nazwisko imie_i_nazwisko osoba_kontaktowa stanowisko jmeno prijmeni kontaktni_osoba meno priezvisko
		fornamn efternamn kontaktperson fornavn efternavn etternavn etunimi sukunimi yhteyshenkilo keresztnev vezeteknev kapcsolattarto
		prenume nume_de_familie persoana_de_contact ad soyad ad_soyad adi_soyadi yetkili nama_depan nama_belakang kontak ho_ten nguoi_lien_he
		ονομα επωνυμο ονοματεπωνυμο الاسم_الأول اسم_العائلة שם_פרטי שם_משפחה
		nom_et_prenom personne_de_contact persona_de_contacto contacto_nombre nome_do_contato primeiro_nome referente contactpersoon
		担当者名 名字 聯絡人 성명`
	moreContacts = ` контактное_лицо контакт фио osoba_kontaktowa kontaktni_osoba kontaktperson yhteyshenkilo kapcsolattarto persoana_de_contact yetkili kontak
		personne_de_contact persona_de_contacto nome_do_contato referente contactpersoon 担当者名 聯絡人`
	moreTitles = ` должность посада stanowisko pozice pozicia befattning stilling tehtavanimike titteli beosztas functie unvani pozisyon jabatan chuc_vu θεση cargo_actual
		berufsbezeichnung stelle 役職 职位 職稱 직책 직위`
)

// moreWeakNames are names of moreAliases that may mean something else.
var moreWeakNames = wordSet(`internet cp c_p taille tamano tamanho grosse groesse dimensione omvang wielkosc account customer client kunde cliente klant klient kunder asiakas bank institution emittent emetteur emisor emittente hersteller manufacturer
	lieferant fournisseur proveedor fornecedor fornitore leverancier dostawca exhibitor aussteller exposant expositor brand brands marke marque marca agency club
	取引先 客户 供应商 고객사 거래처 est estab office offices lieu luogo fte ftes oprichting 总部 人数 commune fecha_de_alta fecha_alta identifier_value startdato
	by il maa tara kraj stat ceg nimi navn namn unvan giro personal pagina strona sitio
	штат основана www stelle domeniu vznik`)
