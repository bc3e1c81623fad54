"""The default models know common words for problems in large languages, and take nothing harmless for one."""

import pytest

from support.servers import Database

pytestmark = pytest.mark.any_server
# ruff: noqa: RUF001 (letters of other scripts are meant)

PROBLEMS = (
    "数据库连接失败",
    "内存不足，进程被终止",
    "ディスク容量が不足しています",
    "接続エラーが発生しました",
    "Ошибка подключения к базе данных",
    "Не удалось сохранить файл: нет места на диске",
    "فشل الاتصال بقاعدة البيانات",
    "Verbindung zur Datenbank fehlgeschlagen",
    "Nutzer konnte nicht gefunden werden",
    "Falha ao gravar o pedido: disco cheio",
    "Impossible de se connecter à la base",
    "No se pudo abrir el archivo",
    "연결에 실패했습니다",
)
HARMLESS = (
    "数据库启动成功",
    "サーバーを起動しました",
    "問題ありません",
    "Сервер запущен",
    "Dienst gestartet, keine Fehler",
    "Benutzer angemeldet",
    "Aucune erreur trouvée",
    "Respaldo finalizado sin errores",
    "تم تشغيل الخدمة بنجاح",
    "첫 번째 요청이 완료되었습니다",
)


def test_problems_are_found_in_other_languages(fresh_db: Database) -> None:
    fresh_db.execute(
        "INSERT INTO log_entries (level, service, message) SELECT 'INFO', 'app', m FROM unnest(%s::text[]) AS m",
        ([*PROBLEMS, *HARMLESS],),
    )
    found = {message for (message,) in fresh_db.execute("SELECT message FROM logintel.ml_corrections")}
    assert found == set(PROBLEMS)


def test_doctor_tells_a_service_whose_language_the_default_models_do_not_read(fresh_db: Database) -> None:
    words = [f"{one} {two}" for one in ("jobben", "ordern", "kunden", "lagret") for two in ("klar", "skickad", "hittad")]
    for service, said in (("butik", words), ("shop", [f"order {word} started" for word in words])):
        fresh_db.execute(
            "INSERT INTO log_entries (level, service, message) SELECT 'INFO', %s, m FROM unnest(%s::text[]) AS m",
            (service, said),
        )
    fresh_db.execute("SELECT * FROM logintel.maintain()")
    [(detail, next_step)] = fresh_db.execute(
        "SELECT detail, next_step FROM logintel.doctor() WHERE \"check\" = 'languages'"
    )
    assert 'of the 12 templates of service "butik"' in detail
    assert next_step.startswith("logintel train")
