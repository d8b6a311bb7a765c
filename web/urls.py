"""Addresses of the pages. Everything of a tenant lies below /o/<slug>/."""

from django.urls import include, path

from web.views import (
    absences,
    account_list,
    account_terms,
    accounts,
    bulk_logins,
    calendar,
    checks,
    deputies,
    duties,
    exports,
    facilities,
    facility_list,
    facility_records,
    facility_register,
    facility_statements,
    findings,
    first_hour,
    forecast,
    help,
    home,
    house_rules,
    house_windows,
    import_uploads,
    imports,
    join,
    logins,
    people,
    people_changes,
    people_list,
    quits,
    request_bulk,
    request_edit,
    request_new,
    reviews,
    saved_views,
    search,
    settings,
    style,
    systems,
    today,
    whys,
)

app_name = "web"

places_and_people = [
    path("facilities/", facility_list.facilities, name="facilities"),
    path("facilities/worst/", facility_list.burning, name="burning"),
    path("facilities/register/", facility_register.facility_register, name="facility-register"),
    path("facilities/suggest/", facility_register.facility_suggest, name="facility-suggest"),
    path("facilities/<int:pk>/", facilities.facility, name="facility"),
    path("facilities/<int:pk>/edit/", facilities.facility_edit, name="facility-edit"),
    path("people/", people_list.people, name="people"),
    path("facilities/<int:pk>/streams/", facility_statements.facility_streams, name="facility-streams"),
    path("facilities/<int:pk>/keepers/", facility_statements.facility_keepers, name="facility-keepers"),
    path("facilities/<int:pk>/in-use/<slug:system>/", facility_statements.facility_in_use, name="facility-in-use"),
    path("facilities/<int:pk>/record/", facility_records.facility_record, name="facility-record"),
    path("facilities/<int:pk>/record/file/", facility_records.facility_record_file, name="facility-record-file"),
    path(
        "facilities/<int:pk>/record/have/<int:keeper>/",
        facility_records.facility_record_have,
        name="facility-record-have",
    ),
    path("keepers/<int:pk>/end/", facility_statements.keeper_end, name="keeper-end"),
    path("facilities/<int:pk>/reviewed/", reviews.facility_reviewed, name="facility-reviewed"),
    path("facilities/reviews/<int:pk>/void/", reviews.review_void, name="review-void"),
    path("facilities/<int:pk>/owes/", duties.obligation_add, name="obligation-add"),
    path("obligations/<int:pk>/done/", duties.obligation_met, name="obligation-met"),
    path("obligations/<int:pk>/void/", duties.obligation_void, name="obligation-void"),
    path("people/add/", people_changes.person_add, name="person-add"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/quits/", quits.person_quits, name="person-quits"),
    path("people/<int:pk>/edit/", people_changes.person_edit, name="person-edit"),
    path("people/<int:pk>/work/", people_changes.person_employ, name="person-employ"),
    path("people/<int:pk>/away/", absences.person_away, name="person-away"),
    path("people/<int:pk>/acknowledged/", duties.acknowledge, name="acknowledge"),
    path("acknowledgements/<int:pk>/void/", duties.acknowledgement_void, name="acknowledgement-void"),
    path("people/<int:pk>/roles/<int:place>/", checks.job_look, name="job-look"),
    path("people/<int:pk>/deputy/", deputies.person_deputy, name="person-deputy"),
    path("deputies/<int:pk>/end/", deputies.deputy_end, name="deputy-end"),
    path("absences/<int:pk>/end/", absences.absence_end, name="absence-end"),
    path("people/<int:pk>/accounts/add/", people_changes.person_accounts_add, name="person-accounts-add"),
    path("people/account-fields/<slug:system>/", people_changes.account_fields, name="account-fields"),
    path("employments/<int:pk>/end/", people_changes.employment_end, name="employment-end"),
    path("settings/", settings.settings, name="settings"),
    path("settings/invite/", settings.member_invite, name="member-invite"),
    path("settings/members/<int:pk>/end/", settings.member_end, name="member-end"),
    path("settings/rules/", house_rules.house_rules, name="house-rules"),
    path("settings/windows/", house_windows.house_windows, name="house-windows"),
    path("settings/windows/<slug:system>/", house_windows.house_window, name="house-window"),
    path("settings/rules/<slug:rule>/", house_rules.house_rule_switch, name="house-rule-switch"),
    path("settings/reminders/", settings.start_reminders, name="start-reminders"),
    path("settings/calendar/", calendar.dates_in_calendar, name="calendar"),
    path("settings/calendar/make/", calendar.calendar_make, name="calendar-make"),
    path("settings/calendar/choose/", calendar.calendar_choose, name="calendar-choose"),
    path("settings/calendar/stop/", calendar.calendar_stop, name="calendar-stop"),
]

first_hour_of = "facilities/<int:pk>/first-hour/"
getting_started = [
    path("first-hour/", first_hour.first_hours, name="first-hours"),
    path("first-hour/test/", first_hour.first_hour_test, name="first-hour-test"),
    path(first_hour_of, first_hour.first_hour, name="first-hour"),
    path(f"{first_hour_of}<slug:step>/", first_hour.first_hour_mark, name="first-hour-mark"),
    path(f"{first_hour_of}<slug:step>/again/", first_hour.first_hour_unmark, name="first-hour-unmark"),
    path("facilities/<int:pk>/sample/<slug:kind>.<slug:form>", first_hour.facility_sample, name="facility-sample"),
]

today_and_accounts = [
    path("", today.today, name="today"),
    path("search/", search.find, name="search"),
    path("accounts/", account_list.accounts, name="accounts"),
    path("accounts/<int:pk>/", accounts.account, name="account"),
    path("accounts/<int:pk>/edit/", accounts.account_edit, name="account-edit"),
    path("accounts/<int:pk>/term/", account_terms.account_term, name="account-term"),
    path("accounts/<int:pk>/remove/", accounts.account_remove, name="account-remove"),
    path("accounts/<int:pk>/lost/", accounts.account_lost, name="account-lost"),
    path("accounts/<int:pk>/regain/", accounts.account_regain, name="account-regain"),
    path("accounts/<int:pk>/check/", accounts.account_check, name="account-check"),
    path("accounts/<int:pk>/profile/", checks.account_profile, name="account-profile"),
    path("profile-checks/<int:pk>/void/", checks.profile_check_void, name="profile-check-void"),
    path("accounts/<int:pk>/login/", logins.login, name="login"),
    path("accounts/<int:pk>/login-on/", logins.login_another_day, name="login-another-day"),
    path("roles/<int:pk>/certified/", duties.certify, name="certify"),
    path("accounts/certifications/<int:pk>/void/", duties.certification_void, name="certification-void"),
    path("forecast/", forecast.coming_weeks, name="forecast"),
    path("forecast/beside/", forecast.weeks_beside, name="forecast-beside"),
    path("findings/", findings.findings, name="findings"),
    path("findings/<int:pk>/why/", whys.finding_why, name="finding-why"),
    path("deadlines/<int:pk>/why/", whys.deadline_why, name="deadline-why"),
    path("accounts/<int:pk>/login-seen/", logins.login_seen, name="login-seen"),
    path("logins/", logins.logins_record, name="logins-record"),
    path("logins/<int:pk>/void/", logins.login_void, name="login-void"),
]

long_lists = [
    path("accounts/logins/", bulk_logins.logins_bulk, name="logins-bulk"),
    path("accounts/logins/<int:act>/void/", bulk_logins.logins_bulk_void, name="logins-bulk-void"),
    path("accounts/export/", exports.accounts_export, name="accounts-export"),
    path("people/export/", exports.people_export, name="people-export"),
    path("views/keep/<slug:which>/", saved_views.view_save, name="view-save"),
    path("views/<int:pk>/", saved_views.view_edit, name="view"),
    path("views/<int:pk>/delete/", saved_views.view_delete, name="view-delete"),
]

asking = [
    path("requests/new/", request_new.request_new, name="request_new"),
    path("requests/new/many/", request_bulk.requests_bulk, name="requests_bulk"),
    path("requests/<int:pk>/edit/", request_edit.request_edit, name="request_edit"),
]

catalogue = [
    path("systems/", systems.systems, name="systems"),
    path("systems/rules/", systems.system_rules, name="system-rules"),  # before the slugs: no system is called so
    path("systems/<slug:system>/", systems.system, name="system"),
]

helping = [
    path("help/", help.help_page, name="help"),
    path("help/glossary/", help.glossary, name="glossary"),  # before the slugs: no guide is called so
    path("help/<slug:leaflet>/", help.leaflet, name="leaflet"),
]

files = [
    path("imports/", imports.imports, name="imports"),
    path("imports/new/", import_uploads.import_new, name="import-new"),
    path("imports/new/<int:pk>/", import_uploads.import_look, name="import-look"),
    path("imports/new/<int:pk>/rows/<slug:part>/", import_uploads.import_part, name="import-part"),
    path("imports/new/<int:pk>/consent/", import_uploads.import_consent, name="import-consent"),
    path("imports/new/<int:pk>/discard/", import_uploads.import_discard, name="import-discard"),
    path("imports/<int:pk>/", imports.import_done, name="import"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import-undo"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("style/", style.style, name="style"),
    path("join/<str:token>/", join.join, name="join"),
    path("calendar/<str:token>.ics", calendar.calendar_feed, name="calendar-feed"),
    path("o/<slug:slug>/", include(today_and_accounts)),
    path("o/<slug:slug>/", include(places_and_people)),
    path("o/<slug:slug>/", include(getting_started)),
    path("o/<slug:slug>/", include(long_lists)),
    path("o/<slug:slug>/", include(asking)),
    path("o/<slug:slug>/", include(catalogue)),
    path("o/<slug:slug>/", include(helping)),
    path("o/<slug:slug>/", include(files)),
]
