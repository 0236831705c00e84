print("no benchmark")
