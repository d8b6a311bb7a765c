"""Addresses of the pages. Everything of a tenant lies below /o/<slug>/."""

from django.urls import include, path

from web.views import accounts, facilities, home, join, logins, people, people_changes, settings, style, today

app_name = "web"

places_and_people = [
    path("facilities/", facilities.facilities, name="facilities"),
    path("facilities/register/", facilities.facility_register, name="facility-register"),
    path("facilities/<int:pk>/", facilities.facility, name="facility"),
    path("facilities/<int:pk>/edit/", facilities.facility_edit, name="facility-edit"),
    path("people/", people.people, name="people"),
    path("people/add/", people_changes.person_add, name="person-add"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/edit/", people_changes.person_edit, name="person-edit"),
    path("people/<int:pk>/work/", people_changes.person_employ, name="person-employ"),
    path("people/<int:pk>/accounts/add/", people_changes.person_accounts_add, name="person-accounts-add"),
    path("employments/<int:pk>/end/", people_changes.employment_end, name="employment-end"),
    path("settings/", settings.settings, name="settings"),
    path("settings/invite/", settings.member_invite, name="member-invite"),
    path("settings/members/<int:pk>/end/", settings.member_end, name="member-end"),
    path("settings/reminders/", settings.start_reminders, name="start-reminders"),
]

today_and_accounts = [
    path("", today.today, name="today"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/<int:pk>/", accounts.account, name="account"),
    path("accounts/<int:pk>/edit/", accounts.account_edit, name="account-edit"),
    path("accounts/<int:pk>/remove/", accounts.account_remove, name="account-remove"),
    path("accounts/<int:pk>/lost/", accounts.account_lost, name="account-lost"),
    path("accounts/<int:pk>/regain/", accounts.account_regain, name="account-regain"),
    path("accounts/<int:pk>/check/", accounts.account_check, name="account-check"),
    path("accounts/<int:pk>/login/", logins.login, name="login"),
    path("accounts/<int:pk>/login-on/", logins.login_another_day, name="login-another-day"),
    path("logins/", logins.logins_record, name="logins-record"),
    path("logins/<int:pk>/void/", logins.login_void, name="login-void"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("style/", style.style, name="style"),
    path("join/<str:token>/", join.join, name="join"),
    path("o/<slug:slug>/", include(today_and_accounts)),
    path("o/<slug:slug>/", include(places_and_people)),
]
