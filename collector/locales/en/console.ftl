# Words of the console. Keep the keys as in the Japanese file.

app-name = Shirase
