# ruff: noqa: RUF001 - Cyrillic letters are what Russian is written with
"""The words by which PostgreSQL's server marks its messages, in English and as its message catalogs translate them."""

SEVERITIES = {
    word: english
    for english, words in {
        "DEBUG": "DEBUG DEBUG1 DEBUG2 DEBUG3 DEBUG4 DEBUG5 DEPURAÇÃO ОТЛАДКА НАЛАГОДЖЕННЯ გამართვა 디버그 调试 除錯",
        "LOG": "LOG LOGG DZIENNIK СООБЩЕНИЕ ЗАПИСУВАННЯ ჟურნალი 로그 日志 日誌",
        "INFO": "INFO INFORMACJA BİLGİ ИНФОРМАЦИЯ ІНФОРМАЦІЯ ინფორმაცია 정보 信息 資訊",
        "NOTICE": "NOTICE HINWEIS NOTIFICA NOTIS NOTA NOT UWAGA ЗАМЕЧАНИЕ ПОВІДОМЛЕННЯ 알림 注意",
        "WARNING": "WARNING WARNUNG ATTENTION ADVERTENCIA ATTENZIONE AVISO VARNING OSTRZEŻENIE UYARI PERINGATAN "
        "ПРЕДУПРЕЖДЕНИЕ ПОПЕРЕДЖЕННЯ გაფრთხილება 경고 警告",
        "ERROR": "ERROR FEHLER ERREUR ERRORE ERRO FEL BŁĄD HATA ОШИБКА ПОМИЛКА შეცდომა 오류 错误 錯誤",
        "FATAL": "FATAL FATALE FATALT KATASTROFALNY ÖLÜMCÜL ВАЖНО ФАТАЛЬНО ფატალური 치명적오류 致命错误 致命錯誤",
        "PANIC": "PANIC PANIK PANIQUE PANICO PÂNICO PÁNICO PANIKA KRİTİK ПАНИКА ПАНІКА პანიკა 손상 灾难性错误 嚴重錯誤",
    }.items()
    for word in words.split()
} | {"ÖLÜMCÜL (FATAL)": "FATAL"}
"""Severity in any language -> in English."""

_PARTS = """
    DETAIL DETALLE DÉTAIL DETTAGLI DETALHE DETALJ SZCZEGÓŁY DETIL ПОДРОБНОСТИ ВІДОМОСТІ დეტალები 상세정보 詳細
    详情 詳情
    HINT TIPP ASTUCE SUGERENCIA SUGGERIMENTO DICA TIPS PODPOWIEDŹ PETUNJUK ПОДСКАЗКА УКАЗІВКА მინიშნება 힌트
    ヒント 提示
    QUERY ANFRAGE REQUÊTE CONSULTA FRÅGA ZAPYTANIE ЗАПРОС ЗАПИТ მოთხოვნა 問い合わせ 查询 查詢
    CONTEXT ZUSAMMENHANG KONTEXT CONTEXTE CONTEXTO CONTESTO KONTEKST KONTEKS КОНТЕКСТ კონტექსტი 내용 文脈
    コンテキスト 上下文
    LOCATION ORT EMPLACEMENT UBICACIÓN POSIZIONE LOCAL PLATS POZYCJA LOKASI РОЗТАШУВАННЯ მდებარეობა 場所 位置
    BACKTRACE СТЕК ВІДСТЕЖУВАТИ სტეკი 역추적 バックトレース 回溯
    STATEMENT ANWEISUNG SENTENCIA INSTRUCTION ISTRUZIONE COMANDO SATS WYRAŻENIE PERNYATAAN ОПЕРАТОР ІНСТРУКЦІЯ
    ოპერატორი 구문 文 ステートメント 语句 陳述式
"""
PARTS = frozenset(_PARTS.split())
"""Names of a message's further lines, in all languages."""

TIGHT_PARTS = ("AYRINTI", "İPUCU", "SORGU", "ORTAM", "YER", "KOMUT", "쿼리", "위치", "ПОЛОЖЕНИЕ", "PILE D'APPEL ")
"""Such names that have fewer than two blanks behind their colon."""
